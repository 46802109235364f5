"""Notes in a database: GET and POST /notes, and /healthz, which asks the database."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2

LONGEST_NOTE = 500


def connect():
    """A connection of its own for each request: a database that comes back is found again."""
    return psycopg2.connect(
        host=os.environ.get("DB_HOST", "db"),
        user=os.environ.get("DB_USER", "notes"),
        password=os.environ["DB_PASSWORD"],
        dbname="postgres",
        connect_timeout=2,
    )


def ask(statement, values=(), fetch=True):
    connection = connect()
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if fetch else None
    finally:
        connection.close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        try:
            if self.path == "/healthz":
                ask("SELECT 1")
                self.answer(200, {"status": "ok"})
            elif self.path == "/notes":
                rows = ask("SELECT text, made FROM notes ORDER BY id DESC LIMIT 20")
                self.answer(200, [{"text": text, "made": made.isoformat()} for text, made in rows])
            else:
                self.answer(404, {"error": "not found"})
        except psycopg2.Error as error:
            self.answer(503, {"error": str(error).strip()})

    def do_POST(self):
        length = min(int(self.headers.get("Content-Length") or 0), 10 * LONGEST_NOTE)
        text = self.rfile.read(length).decode(errors="replace").strip()[:LONGEST_NOTE]
        if self.path != "/notes" or not text:
            self.answer(400, {"error": "POST a text to /notes"})
            return
        try:
            ask("INSERT INTO notes (text) VALUES (%s)", (text,), fetch=False)
            self.answer(201, {"text": text})
        except psycopg2.Error as error:
            self.answer(503, {"error": str(error).strip()})

    def log_message(self, format, *values):
        if self.path != "/healthz":
            super().log_message(format, *values)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ask(
        "CREATE TABLE IF NOT EXISTS notes "
        "(id serial PRIMARY KEY, text text NOT NULL, made timestamptz NOT NULL DEFAULT now())",
        fetch=False,
    )
    print("listening on 8000", flush=True)
    ThreadingHTTPServer(("", 8000), Handler).serve_forever()


if __name__ == "__main__":
    main()
