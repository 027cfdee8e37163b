"""Whether the installed torch and torchvision belong together."""

from importlib import metadata

CURE = "install the pair again in one command: pip install -r requirements.txt"
SIGNS_OF_A_WRONG_PAIR = ("torchvision::", "undefined symbol", "CUDA")


def pair_problem() -> str | None:
    """One sentence with the cure where torch and torchvision do not match, else None; reads package metadata only.

    torchvision names the torch it needs; and where both say for which device they were built ("+cpu", "+cu128"), that
    must be the same. A wrong pair that says neither shows only when it is imported: see `import_problem`.
    """
    from packaging.requirements import Requirement

    installed = {}
    for name in ("torch", "torchvision"):
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            return f"{name} is not installed; {CURE}."
    torch_version, torch_build = _parts(installed["torch"])
    _, vision_build = _parts(installed["torchvision"])
    both = f"torch {installed['torch']} and torchvision {installed['torchvision']} do not belong together"
    for line in metadata.requires("torchvision") or ():
        need = Requirement(line)
        if need.name == "torch" and not need.specifier.contains(torch_version, prereleases=True):
            return f"{both} (it needs torch {need.specifier}); {CURE}."
    if torch_build and vision_build and torch_build != vision_build:
        return f"{both} (one is built for {torch_build}, the other for {vision_build}); {CURE}."
    return None


def import_problem() -> str | None:
    """The same after really importing torchvision (seconds): one sentence, or None. A bug of another kind is raised."""
    try:
        import torchvision  # noqa: F401
    except (ImportError, OSError, RuntimeError) as error:
        if isinstance(error, ImportError) or any(sign in str(error) for sign in SIGNS_OF_A_WRONG_PAIR):
            return f"torchvision does not load beside this torch ({str(error).splitlines()[0]}); {CURE}."
        raise
    return None


def _parts(version: str) -> tuple[str, str]:
    """ "2.11.0+cu128" -> ("2.11.0", "cu128")."""
    public, _, build = version.partition("+")
    return public, build
