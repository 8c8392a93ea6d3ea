"""
Draws the pictures of the pages as SVG. `docs/generate.py` writes them to `docs/pictures`.

Each picture has a light background of its own, so it is readable on a dark page. Sizes are in pixels.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

INK, SOFT, LINE, PAPER = "#1f2933", "#52606d", "#9aa5b1", "#ffffff"
BLUE, GREEN, RED, AMBER = "#0b63a5", "#1b7f4b", "#b3261e", "#8a5a00"
TINTS = {BLUE: "#e6f1fa", GREEN: "#e5f5ec", RED: "#fbe9e7", AMBER: "#fdf3dc", LINE: "#f5f7fa"}


@dataclass(slots=True)
class Picture:
    """A picture that shapes are added to. `title` is its text alternative."""

    title: str
    width: int
    height: int
    shapes: list[str] = field(default_factory=list)

    def box(self, x: int, y: int, width: int, height: int, color: str = LINE, *, dashed: bool = False) -> None:
        """A rectangle with round corners, in the tint of its color."""
        dash = ' stroke-dasharray="6 4"' if dashed else ""
        self.shapes.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{TINTS[color]}" stroke="{color}"'
            f' stroke-width="1.5"{dash}/>'
        )

    def text(self, x: int, y: int, text: str, color: str = INK, *, size: int = 14, middle: bool = False) -> None:
        """One line of text. `y` is its baseline."""
        anchor = ' text-anchor="middle"' if middle else ""
        self.shapes.append(f'<text x="{x}" y="{y}" font-size="{size}" fill="{color}"{anchor}>{escape(text)}</text>')

    def lines(self, x: int, y: int, texts: Iterable[str], color: str = SOFT) -> None:
        """Small lines of text below each other."""
        for number, text in enumerate(texts):
            self.text(x, y + 18 * number, text, color, size=13)

    def line(self, x1: int, y1: int, x2: int, y2: int, color: str = SOFT, *, dashed: bool = False) -> None:
        """A line without a head."""
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self.shapes.append(f'<path d="M{x1} {y1}L{x2} {y2}" stroke="{color}" stroke-width="2" fill="none"{dash}/>')

    def arrow(self, x1: int, y1: int, x2: int, y2: int, color: str = SOFT, *, dashed: bool = False) -> None:
        """A horizontal or vertical line with a head at its end."""
        self.line(x1, y1, x2, y2, color, dashed=dashed)
        dx, dy = (x2 > x1) - (x2 < x1), (y2 > y1) - (y2 < y1)
        left, right = (x2 - 9 * dx + 5 * dy, y2 - 9 * dy + 5 * dx), (x2 - 9 * dx - 5 * dy, y2 - 9 * dy - 5 * dx)
        self.shapes.append(f'<path d="M{left[0]} {left[1]}L{x2} {y2}L{right[0]} {right[1]}Z" fill="{color}"/>')

    def cross(self, x: int, y: int, color: str = RED) -> None:
        """A cross with its centre at a point."""
        self.line(x - 8, y - 8, x + 8, y + 8, color)
        self.line(x - 8, y + 8, x + 8, y - 8, color)

    def svg(self) -> str:
        """The file's text."""
        body = "\n".join(self.shapes)
        return (
            "<!-- Drawn by docs/drawing.py. Do not edit. -->\n"
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}"'
            f' viewBox="0 0 {self.width} {self.height}" role="img" font-family="system-ui, sans-serif">\n'
            f"<title>{escape(self.title)}</title>\n"
            f'<rect width="{self.width}" height="{self.height}" rx="10" fill="{PAPER}"/>\n{body}\n</svg>\n'
        )


def migration() -> Picture:
    """The two pods of a live migration, the memory between them, and the parts that both use."""
    picture = Picture(
        "A live migration copies memory from the source pod to the target pod; both use one disk", 760, 350
    )
    for x, name, pod in ((20, "source node", "source pod: the guest runs"), (480, "target node", "target pod: waits")):
        picture.box(x, 20, 260, 190)
        picture.text(x + 16, 46, name)
        picture.box(x + 20, 64, 220, 124, BLUE, dashed=x > 20)
        picture.text(x + 34, 90, pod, BLUE)
        picture.lines(x + 34, 116, ("memory", "CPU state", "network interface"))
    picture.arrow(290, 110, 468, 110, BLUE)
    picture.text(380, 96, "1  memory, in rounds", BLUE, size=13, middle=True)
    picture.arrow(290, 150, 468, 150, BLUE)
    picture.text(380, 140, "2  CPU state, at the end", BLUE, size=13, middle=True)
    picture.box(240, 270, 280, 56, GREEN)
    picture.text(380, 294, "disk: a PVC with ReadWriteMany", GREEN, size=13, middle=True)
    picture.text(380, 314, "both pods open it during the migration", SOFT, size=13, middle=True)
    for x in (150, 610):
        picture.line(x, 212, x, 298, GREEN)
        picture.arrow(x, 298, 232 if x < 300 else 528, 298, GREEN)
    return picture


def obstacles() -> Picture:
    """The parts of a VM that stay on their node, with the reason that KubeVirt sets."""
    picture = Picture("Four parts that tie a VM to its node, with the reason that KubeVirt shows", 760, 300)
    picture.box(20, 20, 230, 260)
    picture.text(36, 46, "node")
    picture.box(40, 110, 190, 60, BLUE)
    picture.text(135, 146, "VM", BLUE, middle=True)
    rows = (
        ("a disk that one node can mount (ReadWriteOnce)", "DisksNotLiveMigratable"),
        ("a bridge on the pod network: the guest has the pod's address", "InterfaceNotLiveMigratable"),
        ("a GPU or another device of this node", "HostDeviceNotLiveMigratable"),
        ("memory encrypted with a key of this CPU (SEV, TDX)", "SEVNotLiveMigratable, TDXNotLiveMigratable"),
    )
    for number, (cause, reason) in enumerate(rows):
        y = 28 + 64 * number
        picture.box(300, y, 440, 52, RED)
        picture.text(316, y + 22, cause, size=13)
        picture.text(316, y + 42, reason, RED, size=13)
        picture.line(250, y + 26, 300, y + 26, RED)
        picture.cross(275, y + 26)
    return picture


def drain() -> Picture:
    """The decision of KubeVirt when a pod of a VM is evicted."""
    picture = Picture("A drain evicts the pod; evictionStrategy and LiveMigratable decide what happens", 760, 330)
    picture.box(20, 130, 150, 60, BLUE)
    picture.text(95, 156, "kubectl drain", BLUE, middle=True)
    picture.text(95, 176, "evicts the pod", SOFT, size=13, middle=True)
    picture.arrow(172, 160, 202, 160)
    picture.box(210, 130, 160, 60)
    picture.text(290, 156, "evictionStrategy", middle=True)
    picture.text(290, 176, "and LiveMigratable", SOFT, size=13, middle=True)
    rows = (
        ("LiveMigrate(IfPossible), can migrate", "moves to another node", GREEN),
        ("LiveMigrate, cannot migrate", "blocks: the drain repeats until it times out", RED),
        ("LiveMigrateIfPossible, cannot migrate", "stops: the VM is shut down", AMBER),
        ("None", "stops: the VM is shut down", AMBER),
        ("External", "waits for another controller", AMBER),
    )
    picture.line(372, 160, 386, 160)
    picture.line(386, 40, 386, 288)
    for number, (case, outcome, color) in enumerate(rows):
        y = 16 + 62 * number
        picture.arrow(386, y + 24, 412, y + 24)
        picture.box(420, y, 324, 50, color)
        picture.text(432, y + 21, case, size=13)
        picture.text(432, y + 40, outcome, color, size=13)
    return picture


def rounds() -> Picture:
    """Pre-copy of two guests: the rest shrinks if the guest writes slower than the network copies."""
    picture = Picture(
        "Pre-copy: the rest of a calm guest shrinks in each round, the rest of a busy guest does not", 760, 310
    )
    memory, link = 8.0, 1.0
    for x, name, writes, color in (
        (40, "a guest that writes 0.3 GiB/s", 0.3, GREEN),
        (410, "a guest that writes 1.1 GiB/s", 1.1, RED),
    ):
        picture.text(x, 28, name, color)
        picture.text(x, 46, "GiB still to copy at the start of each round", SOFT, size=12)
        picture.line(x, 250, x + 320, 250, LINE)
        left = memory
        for number in range(6):
            height = round(170 * min(left, memory) / memory)
            picture.box(x + 10 + 52 * number, 250 - height, 36, max(height, 3), color)
            picture.text(x + 28 + 52 * number, 242 - height, f"{left:.1f}", color, size=12, middle=True)
            picture.text(x + 28 + 52 * number, 268, str(number + 1), SOFT, size=12, middle=True)
            left = min(memory, left / link * writes)
    picture.text(200, 294, "the rest fits into a short pause: the guest moves", GREEN, size=13, middle=True)
    picture.text(570, 294, "the rest never shrinks: cancelled at the timeout", RED, size=13, middle=True)
    return picture


PICTURES = {"migration": migration, "obstacles": obstacles, "drain": drain, "rounds": rounds}
MARK = Path(__file__).resolve().parents[1] / "webhook" / "surfaces" / "api" / "page" / "assets" / "icon.svg"
"""The mark of the project. The page, the site and the chart show it."""


def drawn() -> dict[str, str]:
    """The text of each picture, by its path below `docs`."""
    pictures = {f"pictures/{name}.svg": picture().svg() for name, picture in PICTURES.items()}
    return {**pictures, "pictures/mark.svg": MARK.read_text(encoding="utf-8")}
