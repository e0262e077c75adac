"""Files that lie elsewhere: directories that are fetched, and files that tasks read where they are."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, Mapping, Sequence, TypedDict

from .._model.caller import current
from .._model.values import Url
from ..errors import refused
from .options import Duration, milliseconds

if TYPE_CHECKING:
    from .._model.futures import Future
    from .._model.values import Dir

__all__ = ["Rate", "SourceFile", "SourceOptions", "SourceRetries", "Sources", "Urls", "source", "url"]

if TYPE_CHECKING:
    from typing_extensions import Required, Unpack

    class SourceFile(TypedDict, total=False):
        """One file: its URL, its path in the directory, and what it must be, in hexadecimal."""

        url: Required[str]
        to: str
        sha256: str
        md5: str


class Rate(TypedDict, total=False):
    """What one host is asked for: requests under way, 4 if absent, and requests a second."""

    concurrency: int
    per_second: float


class SourceRetries(TypedDict, total=False):
    """`retries={"count": 3, "delay": "10s"}`"""

    count: int
    delay: Duration
    max_delay: Duration


class SourceOptions(TypedDict, total=False):
    """How a source asks."""

    rate: Rate
    retries: int | SourceRetries
    idle: Duration
    max_bytes: int | str
    immutable: bool
    key: str


#: options by what the engine calls them
_COMMON = {"rate": "rate", "retries": "retries", "idle": "idle", "max_bytes": "maxBytes", "immutable": "immutable"}
_HTTP = {
    "url": "url",
    "each": "each",
    "to": "to",
    "checksums": "checksums",
    "headers": "headers",
    "allow_missing": "allowMissing",
    "link_local": "linkLocal",
    "unsized": "unsized",
}
_S3 = {
    "bucket": "bucket",
    "prefix": "prefix",
    "include": "include",
    "exclude": "exclude",
    "endpoint": "endpoint",
    "region": "region",
    "path_style": "pathStyle",
    "anonymous": "anonymous",
}
_URL_HTTP = {"immutable": "immutable"}
_URL_S3 = {
    "bucket": "bucket",
    "key": "key",
    "version": "version",
    "endpoint": "endpoint",
    "region": "region",
    "path_style": "pathStyle",
    "anonymous": "anonymous",
}
_NESTED = {
    "rate": {"concurrency": "concurrency", "per_second": "perSecond"},
    "retries": {"count": "count", "delay": "delay", "max_delay": "maxDelay"},
}
_DURATIONS = ("idle", "delay", "max_delay")


class Sources:
    """`source.http` and `source.s3` give a directory of files that a server keeps. docs/sources.md"""

    def http(
        self,
        url: Future[Any] | str | SourceFile | Sequence[str | SourceFile],
        *,
        each: Mapping[str, Sequence[Any] | Future[Any]] | None = None,
        to: str | None = None,
        checksums: str | None = None,
        headers: Mapping[str, str] | None = None,
        allow_missing: bool = False,
        link_local: bool = False,
        unsized: bool = False,
        **options: Unpack[SourceOptions],
    ) -> Future[Dir]:
        """
        Files of web servers. `url` is one, a list, or a template: `{name}` stands for each value that `each` has for it,
        `{name:YYYY/MM/DD}` for a date in that form; `to` is the path of each file in the directory. A later run asks
        again, and fetches only what has changed. What lets one in (users, passwords, tokens, headers) is kept nowhere.

        ```python
        import http.server
        import threading

        from almanac import run, source, workflow

        @workflow
        async def main(server: str):
            week = source.http(server + "/{day}.txt", each={"day": ["mon", "tue"]}, to="{day}", retries=2)
            return [(await week).entries, (await week).size]

        class Weather(http.server.BaseHTTPRequestHandler):  # stands for a server elsewhere
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", "4")
                self.end_headers()
                self.wfile.write(b"rain")

            def log_message(self, *_: object) -> None:
                pass

        if __name__ == "__main__":
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Weather)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            print(run(main, server=f"http://127.0.0.1:{server.server_port}").output)  # prints [2, 8]
        ```
        """
        given = {
            **{"url": url, "each": each, "to": to, "checksums": checksums, "headers": headers},
            **{"allow_missing": allow_missing, "link_local": link_local, "unsized": unsized},
        }
        return _ask("source.http", {**given, **options}, {**_HTTP, **_COMMON}, options.get("key"))

    def s3(
        self,
        bucket: str | Future[Any],
        *,
        prefix: str | Future[Any] | None = None,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        endpoint: str | None = None,
        region: str | None = None,
        path_style: bool | None = None,
        anonymous: bool = False,
        **options: Unpack[SourceOptions],
    ) -> Future[Dir]:
        """
        Objects of a bucket, each at its key without the prefix's folders. Credentials are found as the AWS SDK finds them;
        `anonymous` is for buckets that everybody may read, `endpoint` for stores that are not Amazon's.

        >>> from almanac import source, workflow
        >>> @workflow
        ... async def main():
        ...     return source.s3("sentinel-cogs", prefix="tiles/34/S/GA/", include=["*.tif"], anonymous=True)
        """
        given = {
            **{"bucket": bucket, "prefix": prefix, "include": include, "exclude": exclude, "endpoint": endpoint},
            **{"region": region, "path_style": path_style, "anonymous": anonymous},
        }
        return _ask("source.s3", {**given, **options}, {**_S3, **_COMMON}, options.get("key"))

    def days(self, first: str | datetime.date, last: str | datetime.date) -> list[str]:
        """
        The days from one to another, both included.

        >>> from almanac import source
        >>> source.days("2026-02-27", "2026-03-01")
        ['2026-02-27', '2026-02-28', '2026-03-01']
        """
        begin, end = _day(first), _day(last)
        return [(begin + datetime.timedelta(n)).isoformat() for n in range((end - begin).days + 1)]


class Urls:
    """
    `url.http` and `url.s3` name a file that is left where it is: a task gets its URL, as a text. They ask the server what is
    there when the run comes to them: it counts by its place, its version or `ETag`, and its size. docs/sources.md
    """

    def http(self, url: str | Future[Any], *, immutable: bool = False) -> Future[Url]:
        """
        A file of a web server. `immutable`: what is there never changes.

        ```python
        import http.server
        import threading
        import urllib.request

        from almanac import run, task, url, workflow

        @task
        def first(scene: str) -> str:  # for `rasterio.open(scene)` and the like
            with urllib.request.urlopen(scene) as file:
                return file.read(4).decode()

        @workflow
        async def main(server: str):
            scene = url.http(f"{server}/scene.txt")
            return [await first(scene), (await scene).size]

        class Scenes(http.server.BaseHTTPRequestHandler):  # stands for a server elsewhere
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", "8")
                self.send_header("ETag", '"1"')
                self.end_headers()
                self.wfile.write(b"" if self.command == "HEAD" else b"a meadow")

            do_HEAD = do_GET

            def log_message(self, *_: object) -> None:
                pass

        if __name__ == "__main__":
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scenes)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            print(run(main, server=f"http://127.0.0.1:{server.server_port}").output)  # prints ['a me', 8]
        ```
        """
        return _ask("url.http", {"url": url, "immutable": immutable}, {"url": "url", **_URL_HTTP}, None)

    def s3(
        self,
        bucket: str | Future[Any],
        key: str | Future[Any],
        *,
        version: str | Future[Any] | None = None,
        endpoint: str | None = None,
        region: str | None = None,
        path_style: bool | None = None,
        anonymous: bool = False,
    ) -> Future[Url]:
        """
        An object of a bucket; `version` is the id of one that is not the newest. Its URL is signed for the task, unless the
        bucket is `anonymous`.

        >>> from almanac import url, workflow
        >>> @workflow
        ... async def main():
        ...     return url.s3("sentinel-cogs", "tiles/34/S/GA/B04.tif", region="us-west-2", anonymous=True)
        """
        given = {
            **{"bucket": bucket, "key": key, "version": version, "endpoint": endpoint, "region": region},
            **{"path_style": path_style, "anonymous": anonymous},
        }
        return _ask("url.s3", given, _URL_S3, None)


source = Sources()
url = Urls()


def _ask(name: str, given: Mapping[str, Any], names: Mapping[str, str], key: str | None) -> Future[Any]:
    scope = current(name)
    unknown = [one for one in given if one not in names and one != "key"]
    if unknown:
        raise TypeError(f"{name}() has no option {unknown[0]!r}; it has {', '.join(names)}")
    # `key` of an object is one of its names
    details = {
        meant: _told(name, option, given[option])
        for option, meant in names.items()
        if given.get(option) is not None and given[option] is not False
    }
    return scope.ask(name, details, name, key=key)


def _told(name: str, option: str, value: Any) -> Any:
    nested = _NESTED.get(option)
    if nested is not None and isinstance(value, Mapping):
        unknown = [one for one in value if one not in nested]
        if unknown:
            why = f"{option} of {name} has no {unknown[0]!r}"
            raise refused(why, f"It has {', '.join(nested)}.", "ALM_OPTION_REFUSED")
        return {nested[one]: _told(name, one, inner) for one, inner in value.items()}
    return milliseconds(value) if option in _DURATIONS else value


def _day(given: str | datetime.date) -> datetime.date:
    if isinstance(given, datetime.datetime):
        return given.astimezone(datetime.timezone.utc).date() if given.tzinfo else given.date()
    if isinstance(given, datetime.date):
        return given
    return datetime.date.fromisoformat(given[:10])
