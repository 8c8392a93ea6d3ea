"""
Builds a release into `dist`: wheel, sdist, chart, archives of the kubectl plugin, images, SBOMs and checksums.

`make release` runs it from a clean tree. Two builds of a commit give the same bytes. `python -m tools.release --help` lists the
parts that can be left out.
"""
