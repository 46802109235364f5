"""Names, ports, networks and volumes that are not to be had."""

from __future__ import annotations

from reconciler.states import Reason
from tests.integration.faults.texts.fault import Fault, Section, web

_START = (
    Reason.START_FAILED,
    Reason.CREATING,
    Reason.STARTING,
    Reason.RECOVERING,
    Reason.BACK_OFF,
    Reason.PULLING_IMAGE,
)
_CREATE = (Reason.CREATE_FAILED, Reason.CREATING, Reason.PULLING_IMAGE, Reason.BACK_OFF)
_PORT = (Reason.PORT_IN_USE, Reason.CREATING, Reason.STARTING, Reason.RECOVERING, Reason.BACK_OFF, Reason.PULLING_IMAGE)

PLACES = Section(
    "Names, ports, networks and volumes",
    (
        Fault(
            "port-held-by-process",
            "A process holds the port",
            "{name} is …: host port {port} is held by {holder}",
            "Free it, or publish another port",
            _PORT,
            web(port="8080", holder="nginx (pid 812)"),
        ),
        Fault(
            "port-held-by-container",
            "A container holds the port",
            "{name} is …: host port {port} is held by container {holder} (",
            "Free it, or publish another port",
            _PORT,
            web(port="8080", holder="old_shop"),
        ),
        Fault(
            "name-held",
            "Another container has the name",
            "{name} is …: the name {held} is held by container {id}",
            "Remove or rename it (`docker rename {held} NEW`)",
            (Reason.NAME_CONFLICT,),
            web(held="shop_web", id="4e5ee9dcd1ca"),
        ),
        Fault(
            "subnet-overlaps",
            "The subnet overlaps with another network's",
            "{name} is …: network {network} can't be made: its subnet {subnet} overlaps with {others} of network"
            " {other}",
            "Give it another subnet",
            _CREATE,
            web(subnet="172.29.77.128/25", network="shop_front", other="legacy", others="172.29.77.0/24"),
        ),
        Fault(
            "external-network-missing",
            "An external network is not there",
            "{name} is …: waiting for network {network}, which is declared external and does not exist",
            "Make it (`docker network create {network}`)",
            (Reason.EXTERNAL_MISSING,),
            web(network="front"),
        ),
        Fault(
            "volume-driver-missing",
            "The volume's driver is not there",
            "{name} is …: volume {volume} can't be made: the engine has no driver {driver}",
            "Correct `driver` in the domain file, or install the plug-in",
            _CREATE,
            web(volume="shop_data", driver="glusterfs"),
        ),
        Fault(
            "bind-source-missing",
            "The source of a bind mount is not there (long form)",
            "{name} is …: the bind source {source} does not exist on the engine's machine",
            "Make it (`mkdir -p {source}`)",
            _CREATE,
            web(source="/srv/shop/data"),
        ),
        Fault(
            "bind-source-missing-short",
            "The source of a bind mount can't be made (short form)",
            "{name} is …: the bind source {source} does not exist on the engine's machine (not a directory: a part of"
            " the path is a file)",
            "Make a directory where the file is",
            (*_CREATE, *_START),
            web(source="/srv/shop/data"),
        ),
        Fault(
            "secret-file-missing",
            "The file of a secret is not there",
            "{file} is not valid, …: {source} does not exist",
            "Make the file, or correct its name",
            (),
            web(source="/etc/pnr/secrets/db_password"),
        ),
    ),
)
