"""The lines of a Helm template that made the lines of its output."""

from webhook.manifests.template_lines import Template


def lines_of(template: str, rendered: str) -> dict[str, str | None]:
    """The line of the template for each line of the output."""
    made, maker = rendered.splitlines(), template.splitlines()
    found = Template(template).aligned(made)
    return {line: maker[found[number]] if number in found else None for number, line in enumerate(made)}


def test_an_action_in_a_line_makes_any_text() -> None:
    """
    The literal text before and after it must be the same.
    """
    template = "spec:\n  name: vm-{{ .Values.name }}\n  {{ .Values.binding }}: {}\n"

    found = lines_of(template, "spec:\n  name: vm-web\n  bridge: {}\n  size: 3\n")

    assert found == {
        "spec:": "spec:",
        "  name: vm-web": "  name: vm-{{ .Values.name }}",
        "  bridge: {}": "  {{ .Values.binding }}: {}",
        "  size: 3": None,
    }


def test_equal_lines_are_told_apart_by_their_order() -> None:
    """
    A disk and an interface can have the same name.
    """
    template = (
        "disks:\n- name: default\n{{- if .Values.net }}\ninterfaces:\n- name: default\n  bridge: {}\n{{- end }}\n"
    )

    found = Template(template).aligned(["disks:", "- name: default", "interfaces:", "- name: default", "  bridge: {}"])

    assert found == {0: 0, 1: 1, 2: 3, 3: 4, 4: 5}


def test_lines_of_an_action_that_makes_several_lines_are_unknown() -> None:
    """
    They are in values or in another template.
    """
    found = lines_of("spec:\n  {{- toYaml .Values.spec | nindent 2 }}\n", "spec:\n  a: 1\n  b: 2\n")

    assert found == {"spec:": "spec:", "  a: 1": None, "  b: 2": None}


def test_each_item_of_a_loop_has_the_lines_of_the_loop() -> None:
    """
    A line that only one line of the template can make needs no order.
    """
    template = "nets:\n{{- range .Values.nets }}\n- name: {{ . }}\n  bridge: {}\n{{- end }}\n"

    found = Template(template).aligned(["nets:", "- name: a", "  bridge: {}", "- name: b", "  bridge: {}"])

    assert found == {0: 0, 1: 2, 2: 3, 3: 2, 4: 3}


def test_very_long_texts_are_not_aligned() -> None:
    """
    The time grows with the product of the numbers of lines.
    """
    assert Template("a\n" * 1000).aligned(["a"] * 1000) == {}
