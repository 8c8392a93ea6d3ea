"""The options of commands that rehearse: the source of the objects, the release and the bandwidth."""

import click

FACTS = click.option(
    "--facts",
    multiple=True,
    metavar="PATH",
    help="Read the objects of the cluster from files or folders (- for standard input), not from a cluster.",
)
SNAPSHOT = click.option("--snapshot", metavar="FILE", help="Snapshot that `migratable snapshot --drain` saved.")
RELEASE = click.option(
    "--release", default="", metavar="1.x.y", help="KubeVirt release. Default: the release in the KubeVirt CR."
)
LINK = click.option(
    "--link",
    default="",
    metavar="QUANTITY",
    help="Bandwidth of a node's migration link in bytes per second, such as 1250M for 10 Gbit/s.",
)
