from pathlib import Path


def log(folder: str, what: str) -> None:
    with open(Path(folder, "log"), "a") as lines:
        lines.write(what + "\n")


def halve(label: str, folder: str, n: int) -> float:
    log(folder, label)
    return n / 2


def count(label: str, folder: str, text: Path, *, copy: Path) -> int:
    log(folder, label)
    content = text.read_text()
    copy.write_text(content)
    return len(content)
