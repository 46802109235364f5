"""Health checks that are not passed."""

from __future__ import annotations

from reconciler.states import Reason
from tests.integration.faults.texts.fault import Fault, Section, web

_CHECK = (
    Reason.DEADLINE_EXCEEDED,
    Reason.PROBING,
    Reason.UNHEALTHY,
    Reason.RECOVERING,
    Reason.STOPPING,
    Reason.STARTING,
    Reason.BACK_OFF,
    Reason.CRASH_LOOPING,
)

HEALTH = Section(
    "Health checks",
    (
        Fault(
            "wrong-port-key",
            "The health check asks a port on which nobody listens",
            "{name} is …: …8080: connection refused; the container listens on {listens}",
            "Correct `port_key` in the health check",
            _CHECK,
            web(listens="8081"),
        ),
        Fault(
            "health-path-missing",
            "The path of the health check is not there",
            "{name} is …: …/healthz: answered 404 (Not Found), expected 2xx",
            "Correct the `path` of the health check",
            _CHECK,
            web(),
        ),
        Fault(
            "health-500",
            "The health check is answered with an error",
            "{name} is …: …answered 500 (Internal Server Error), expected 2xx; it said: database pool exhausted",
            "See what the container prints",
            _CHECK,
            web(),
        ),
        Fault(
            "health-redirect",
            "The health check is sent elsewhere",
            "{name} is …: …answered 302 (Found), expected 2xx, to /login",
            "Set `path` to where it leads, `follow_redirects`",
            _CHECK,
            web(),
        ),
        Fault(
            "certificate-self-signed",
            "The certificate is self-signed",
            "{name} is …: …the certificate is not valid: self",
            "Give it a certificate that the daemon's machine trusts",
            _CHECK,
            web(),
        ),
        Fault(
            "certificate-expired",
            "The certificate has expired",
            "{name} is …: …the certificate is not valid: certificate has expired",
            "Give it a certificate",
            _CHECK,
            web(),
        ),
        Fault(
            "slow-answer",
            "The answer comes too late",
            "{name} is …: …80: no answer within 0.5 s",
            "See why it is slow, or raise `timeout_seconds`",
            _CHECK,
            web(),
        ),
        Fault(
            "healthcheck-fails",
            "The image's HEALTHCHECK fails",
            "{name} is …: …its check printed: connection to db:5432 refused",
            "Correct what its check found",
            _CHECK,
            web(),
        ),
        Fault(
            "log-pattern-never-comes",
            "The line that is waited for does not come",
            "{name} is …: …not seen in the output yet: ready to serve; the last line is: waiting for a licence",
            "See what it prints",
            _CHECK,
            web(),
        ),
    ),
)
