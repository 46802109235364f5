"""Rules: what a domain file may claim, which secrets are its own, how much all of its domain may use. Data."""

from __future__ import annotations

from reconciler.policy.rule import COUNT, DOMAIN, NUMBER, PATHS, SIZE, WORDS, Rule

ROWS = (
    Rule(
        "claims.domains",
        WORDS,
        f"Which names of domains a file may have as its own; `{DOMAIN}` is the file's own name without its ending.",
        ["*"],
        ["*"],
        [DOMAIN],
    ),
    Rule(
        "claims.containers",
        WORDS,
        "Which names it may give to containers (`name`). The names that containers have without it begin with"
        f" the domain's, and are always its own. `{DOMAIN}` as above.",
        ["*"],
        ["*"],
        ["*"],
    ),
    Rule(
        "secrets.files",
        PATHS,
        "Which files a domain may have the content of, as secrets, configs, env_file, label_file, as files that sops or"
        " age open, and as build contexts; they follow the rules of `files` as well. Links are followed, and both ends"
        f" must be in the list. `{DOMAIN}` is the folder beside the domain file that is called as the file is.",
        ["/"],
        ["/"],
        [DOMAIN],
    ),
    Rule(
        "secrets.credentials",
        WORDS,
        "Which of the daemon's systemd credentials it may have.",
        ["*"],
        ["*"],
        [],
    ),
    Rule(
        "secrets.environment",
        WORDS,
        "Which variables of the daemon's environment it may have, as secrets and as `${NAME}`, of those that"
        " --allow-env allows at all.",
        ["*"],
        ["*"],
        [],
    ),
    Rule(
        "quotas.memory",
        SIZE,
        "The most memory of all containers of a domain together, copies among them; one without a limit counts as more"
        " than there is. Swap of as much again is not counted; what is more counts as memory.",
        "none",
        "none",
        "none",
    ),
    Rule("quotas.cpus", NUMBER, "The most processors of all its containers together.", "none", "none", "none"),
    Rule("quotas.pids", COUNT, "The most processes of all its containers together.", "none", "none", "none"),
    Rule("quotas.containers", COUNT, "The most containers of a domain, copies among them.", "none", "none", "none"),
    Rule("quotas.volumes", COUNT, "The most volumes that it may have made.", "none", "none", "none"),
    Rule(
        "quotas.networks",
        COUNT,
        "The most networks that it may have made, its own default one among them.",
        "none",
        "none",
        "none",
    ),
    Rule(
        "quotas.ports",
        COUNT,
        "The most ports of the host that it may publish; each port of a range counts, and each protocol.",
        "none",
        "none",
        "none",
    ),
    Rule(
        "quotas.logs",
        SIZE,
        "The most that the logs of all its containers may hold on the disk (max-size times max-file, of json-file and"
        " local; cache-max-size times cache-max-file, 100m where left out, of drivers that send logs away); one without"
        " a limit counts as more than there is.",
        "none",
        "none",
        "none",
    ),
    Rule(
        "defaults.memory",
        SIZE,
        "The limit of memory of a container that declares none. Where a default changes, running containers are given"
        " it as after an edit of their file.",
        "none",
        "none",
        "none",
    ),
    Rule("defaults.cpus", NUMBER, "The processors of a container that declares none.", "none", "none", "none"),
    Rule("defaults.pids", COUNT, "The most processes of a container that declares none.", "none", "none", "none"),
    Rule(
        "defaults.logs",
        SIZE,
        "How much the logs of a container that declares no `logging` may hold on the disk, in three files (json-file).",
        "none",
        "none",
        "none",
    ),
)
