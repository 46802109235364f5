"""The control socket's server: one request a connection, answers streamed, no client able to hold up the daemon.

Only the user that runs the daemon (and root) may open the socket. What a client can do wrong (say nothing, say too
much, read slowly, go away) ends its own connection and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import os
import secrets
import socket
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, ClassVar

from reconciler.daemon import address
from reconciler.daemon.encoding import encoded
from reconciler.daemon.requests import BadRequest, parse
from reconciler.errors import PnrError

log = logging.getLogger("pnr.control")

REQUEST_SECONDS = 10.0
SEND_SECONDS = 10.0
SEND_BUFFER_BYTES = 4 << 20
MOST_CLIENTS = 128
BACKLOG = 128

Handler = Callable[[dict[str, Any]], AsyncIterator[dict[str, Any]]]


class ControlSocketError(PnrError):
    """The control socket can't be made."""

    code: ClassVar[str] = "ControlSocketError"


class AlreadyRunning(ControlSocketError):
    """Another daemon answers on this state directory's socket."""

    code = "AlreadyRunning"


class Unauthorized(PnrError):
    """A request on the loopback port without the right token."""

    code = "Unauthorized"


class _ClientGone(Exception):
    """The client went away, or reads too slowly to be waited for."""


class Busy(PnrError):
    """More clients than the daemon serves at once."""

    code = "Busy"


class ControlServer:
    """Serves ``handler`` in the ``state`` directory, from :meth:`start` to :meth:`close`.

    ``handler`` is an async generator function: it yields the answers to a request, and raises PnrError for
    what can't be done. It is closed early when its client goes away. While an answer is being written the server is
    ``answering``: a large one takes many turns of the loop.
    """

    def __init__(
        self, state: Path, handler: Handler, answering: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        self._state = state
        self._handler = handler
        self._answering = answering
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()
        self._token = ""
        self._made: tuple[Path, int] | None = None  # the file that is ours to remove, and its inode

    async def start(self) -> None:
        """Begin to answer. Raises AlreadyRunning, or ControlSocketError where the socket can't be made."""
        try:
            listening = self._listen()
        except OSError as error:
            raise ControlSocketError(
                f"can't make the control socket in {self._state}: {error.strerror or error};"
                " the state directory must be writable for the daemon"
            ) from error
        self._server = await asyncio.start_server(
            self._accept, sock=listening, limit=address.MOST_REQUEST_BYTES, backlog=BACKLOG
        )

    def is_there(self) -> bool:
        """Whether who looks for the socket (or the port's file) in the state directory finds this one."""
        if self._made is None:
            return False
        path, inode = self._made
        try:
            return os.lstat(path).st_ino == inode
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True  # nobody can tell

    async def open_again(self) -> None:
        """Answer in the state directory that is there now; who is being answered is answered to the end. Raises as
        :meth:`start`."""
        if self._server is not None:
            self._server.close()
        self._made = None  # it is gone, or another's
        await self.start()

    async def close(self) -> None:
        """Stop answering, end what is being answered, and remove the socket."""
        if self._server is None:
            return
        self._server.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        self._server = None
        self._remove_made()

    def _listen(self) -> socket.socket:
        try:
            other, _ = address.connect(self._state, timeout_seconds=1.0)
        except (FileNotFoundError, ConnectionRefusedError):
            pass
        except (TimeoutError, BlockingIOError) as error:
            raise AlreadyRunning(f"a pnr daemon holds {self._state} but does not answer; stop it first") from error
        else:
            unix = other.family != socket.AF_INET
            other.close()
            if unix:
                raise AlreadyRunning(f"another pnr daemon runs with the state directory {self._state}")
            # A port may have been taken over by any program since; the lock of the state directory judges that.
        with address.socket_path(self._state) as path:
            listening = self._listen_unix(path) if path is not None else self._listen_port()
        listening.setblocking(False)
        return listening

    def _listen_unix(self, path: str) -> socket.socket:
        shown = self._state / address.SOCKET_NAME
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISSOCK(os.lstat(path).st_mode):
                raise ControlSocketError(f"{shown} is in the way: it is not a socket; move it elsewhere")
            os.unlink(path)
        (self._state / address.PORT_NAME).unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)  # the socket is never there with a wider mode, not for a moment
        try:
            listening.bind(path)
            listening.listen(BACKLOG)
        except BaseException:
            listening.close()
            raise
        finally:
            os.umask(before)
        self._made = (shown, os.lstat(path).st_ino)
        return listening

    def _listen_port(self) -> socket.socket:
        shown = self._state / address.PORT_NAME
        self._token = secrets.token_hex(32)
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listening.bind(("127.0.0.1", 0))
            listening.listen(BACKLOG)
            port = listening.getsockname()[1]
            fresh = self._state / f"{address.PORT_NAME}.new"
            fresh.unlink(missing_ok=True)
            file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(file, "w", encoding="ascii") as stream:
                stream.write(f"{port} {self._token}\n")
            os.replace(fresh, shown)
        except BaseException:
            listening.close()
            raise
        self._made = (shown, shown.stat().st_ino)
        return listening

    def _remove_made(self) -> None:
        if self._made is None:
            return
        path, inode = self._made
        self._made = None
        with contextlib.suppress(OSError):
            if os.lstat(path).st_ino == inode:
                path.unlink()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            await self._converse(reader, writer)
        except asyncio.CancelledError:
            # Only close() cancels this task, and it waits for it; asyncio's own callback would log a traceback.
            pass
        except _ClientGone as error:
            log.debug("a client of the control socket went away: %s", error)
        finally:
            self._clients.discard(task)
            if writer.transport.get_write_buffer_size():
                writer.transport.abort()  # a client that does not read would be waited for without end
            else:
                writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=0)  # drain() then returns when all is sent
        with contextlib.suppress(OSError, AttributeError):
            # What does not fit waits for the client, and for as many turns of the loop.
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        try:
            request = await self._read(reader)
            if len(self._clients) > MOST_CLIENTS:
                raise Busy(f"the daemon serves {MOST_CLIENTS} clients already; try again later")
            await self._answer(request, writer)
        except PnrError as error:
            await self._send(writer, {"error": {"code": error.code, "message": str(error)}})
        except _ClientGone:
            raise
        except Exception:
            log.exception("a request on the control socket failed")
            message = "the daemon failed to answer; its log has the details"
            await self._send(writer, {"error": {"code": "InternalError", "message": message}})

    async def _read(self, reader: asyncio.StreamReader) -> dict[str, Any]:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                line = await reader.readline()
        except TimeoutError as error:
            raise BadRequest(f"no request within {REQUEST_SECONDS:g} s") from error
        except OSError as error:
            raise _ClientGone(str(error)) from error
        except ValueError as error:
            raise BadRequest(f"a request may have {address.MOST_REQUEST_BYTES} bytes at most") from error
        request = parse(line)
        token = request.pop("token", "")
        said = token.encode("utf-8", "surrogatepass") if isinstance(token, str) else b"?"
        if not hmac.compare_digest(said, self._token.encode()):
            raise Unauthorized(f"the request lacks the token in {address.PORT_NAME}")
        return request

    async def _answer(self, request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        done = False
        async with contextlib.aclosing(_with_heartbeat(self._handler(request))) as answers:
            async for answer in answers:
                await self._send(writer, answer)
                done = answer is not None and bool(answer.get("done"))
        if not done:
            await self._send(writer, {"done": True})

    async def _send(self, writer: asyncio.StreamWriter, answer: dict[str, Any] | None) -> None:
        with self._answering():
            line = b"" if answer is None else await encoded(answer)
            try:
                writer.write(line + b"\n")
                async with asyncio.timeout(SEND_SECONDS):
                    await writer.drain()
            except OSError as error:
                raise _ClientGone(str(error) or "it does not read") from error


async def _with_heartbeat(answers: AsyncIterator[dict[str, Any]]) -> AsyncGenerator[dict[str, Any] | None, None]:
    """The answers, with None in between where they are long in coming: only by writing does one learn that a
    client is gone, and only by reading something does a client learn that the daemon is not."""
    pending: asyncio.Task[dict[str, Any]] | None = None
    try:
        while True:
            if pending is None:
                pending = asyncio.ensure_future(_next(answers))
            done, _ = await asyncio.wait({pending}, timeout=address.HEARTBEAT_SECONDS)
            if not done:
                yield None
                continue
            try:
                answer = pending.result()
            except StopAsyncIteration:
                return
            finally:
                pending = None
            yield answer
    finally:
        if pending is not None:
            pending.cancel()
            await asyncio.gather(pending, return_exceptions=True)
        close = getattr(answers, "aclose", None)
        if close is not None:
            await close()


async def _next(answers: AsyncIterator[dict[str, Any]]) -> dict[str, Any]:
    return await anext(answers)
