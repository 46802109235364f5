"""What the output of a container that ended says about what to do, and no more than it says."""

from __future__ import annotations

import pytest

from reconciler.cli.clues import step_from

PRINTED = {
    "cat: write error: No space left on device": "a `tmpfs` has no more than its `size`",
    "working\nKilled": "`mem_limit`",
    "sh: can't create /s/y: Read-only file system": "the `:ro` of the volume",
    "exec /s/run.sh: exec format error": "A script begins with the line `#!/bin/sh`",
    "httpd: bad address 'abc'": "Correct what it is to listen on (abc)",
    "nc: bad port '99999'": "Correct the port 99999",
    "telnetd: number 99999 is not in 0..65535 range": "Correct the port 99999",
    "ping: bad address '127.0.0.256'": "Correct 127.0.0.256",
    "wget: bad address 'databse:5432'": "The name databse is not known",
    "wget: bad address '7-db'": "The name 7-db is not known",
    "java.net.UnknownHostException: kafka": "The name kafka is not known",
    "java.net.UnknownHostException: kafka: Name or service not known": "The name kafka is not known",
    'nginx: [emerg] host not found in upstream "api:80" in /etc/nginx/nginx.conf:3': "The name api is not known",
    "php_network_getaddresses: getaddrinfo for db failed: Name or service not known": "The name db is not known",
    "Error -2 connecting to cache:6379. Name or service not known.": "The name cache is not known",
    "exec /s/run.sh: no such file or directory": "it must not end as on Windows, CRLF",
}


@pytest.mark.parametrize(("printed", "words"), PRINTED.items())
def test_all_that_the_words_can_mean_is_named(printed: str, words: str) -> None:
    assert words in step_from(printed)
