"""Programs in containers as tasks."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Literal, Mapping, Sequence, TypedDict

from .options import checked, stated
from .tasks import Task

if TYPE_CHECKING:
    from typing_extensions import NotRequired, Unpack

    from .options import TaskOptions

    class Volume(TypedDict):
        """What lies on this machine, in a container: `{"source": "/scratch", "write": True}`."""

        source: str | os.PathLike[str]
        write: NotRequired[bool]


__all__ = ["Containers", "container"]


class Containers:
    """`container.task(image, run, name=…)`: makes a task of a program in a container, by Podman or Docker."""

    def task(
        self,
        image: str,
        run: Sequence[str] | None = None,
        *,
        name: str,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        pull: Literal["missing", "always", "never"] | None = None,
        entrypoint: str | Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
        volumes: Mapping[str, str | os.PathLike[str] | Volume] | None = None,
        network: str | None = None,
        user: str | None = None,
        workdir: str | None = None,
        gpu: int | Literal["all"] | None = None,
        init: bool | None = None,
        retry_exits: Sequence[int] | None = None,
        **options: Unpack[TaskOptions],
    ) -> Task[..., Any]:
        """
        Makes a task of a program in a container: `{in.scene}`, `{out.cog}` and `{params.limit}` in its arguments stand
        for paths in the container and for values. See docs/containers.md.

        >>> from almanac import File, container
        >>> info = container.task(
        ...     "ghcr.io/osgeo/gdal:ubuntu-small-3.9.0",
        ...     ["gdalinfo", "{in.scene}"],
        ...     name="info",
        ...     inputs={"scene": File},
        ...     memory="2GiB",
        ... )
        >>> info
        <task info>
        """
        frame = sys._getframe(1)
        file = os.path.abspath(frame.f_code.co_filename)
        common: dict[str, Any] = stated(outputs=outputs, retry_exits=retry_exits)
        given: dict[str, Any] = {**options, **common}
        checked(name, "container", given)
        body = stated(
            image=image,
            run=None if run is None else list(run),
            pull=pull,
            entrypoint=entrypoint if entrypoint is None or isinstance(entrypoint, str) else list(entrypoint),
            env=None if env is None else dict(env),
            volumes=None if volumes is None else _volumes(volumes, os.path.dirname(file)),
            network=network,
            user=user,
            workdir=workdir,
            gpu=gpu,
            init=init,
        )
        made = {**given, "name": name, "inputs": inputs or {}}
        return Task("container", None, made, {"container": body}, (file, frame.f_lineno))


#: Programs in containers.
container = Containers()



def _volumes(volumes: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """Paths of this machine as they are from anywhere."""

    def beside(path: Any) -> str:
        return os.path.normpath(os.path.join(folder, os.fspath(path)))

    return {
        path: {**given, "source": beside(given["source"])} if isinstance(given, Mapping) else beside(given)
        for path, given in volumes.items()
    }
