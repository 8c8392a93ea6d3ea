"""
Finds the positions of the keys and list items of a document. Each position is found on demand.

JSON documents use ``json_places``. YAML documents use one of two modules, and a differential test checks that both give the
same positions (``tests/yaml/test_block_places.py``):

- ``composed_places`` finds the positions in any YAML, from nodes that PyYAML composes.
- ``block_places`` finds the lines of plain block YAML from its value, and supports no other YAML. This module exists only for
  speed. Nearly all manifests are plain block YAML, and ``block_places`` does not import PyYAML.

Without ``block_places``, ``migratable check`` takes more CPU time (3 KB a file, CPython 3.11, median of 5 or 15 runs each):

=======================================  =========  ==================  ======
files                                    with       composed_places     more
=======================================  =========  ==================  ======
1 with findings                          0.064 s    0.077 s             20 %
1,000, of which 250 with findings        0.518 s    0.556 s             7 %
1,000, all with findings                 0.771 s    0.885 s             15 %
=======================================  =========  ==================  ======

This module does no I/O.
"""

from webhook.yaml.text import JsonValue, Places


def places_in(text: str, start: int, end: int, block: JsonValue = None, *, is_json: bool) -> Places:
    """
    Returns the positions in the document between two offsets. ``block`` is its value if ``block_reader`` has read it.
    """
    if is_json:
        from webhook.yaml.json_places import JsonPlaces  # noqa: PLC0415 - few runs read JSON

        return JsonPlaces(text, start)
    from webhook.yaml.block_places import BlockPlaces, UnclearError  # noqa: PLC0415 - only documents with findings need it

    base = text.rfind("\n", 0, start) + 1  # only an LF ends the line of a document separator
    try:
        return BlockPlaces(text, base, start, end, block)
    except UnclearError:
        from webhook.yaml.composed_places import composed_places  # noqa: PLC0415 - imports PyYAML

        return composed_places(text, base, start, end)
