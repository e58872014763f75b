"""What can only be seen by looking at several settings together: mistakes, and warnings about what is probably not meant.

Law of the file: pure.  A warning is allowed and said; a mistake could not be meant by anybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from botsieve.config.browser_models import MAX_EXTENSIONS
from botsieve.config.detector_models import Detectors
from botsieve.config.effective import matches_all, score_limits, thresholds_of
from botsieve.config.lookup_models import Geo
from botsieve.config.mistakes import Path, path_text
from botsieve.config.models import Configuration
from botsieve.config.policy_models import PolicyModel, When
from botsieve.config.service_models import Challenge, Levels
from botsieve.lookups.settings import MAX_ALLOW_FILES


class Strange(NamedTuple):
    """`needs`: the settings that were compared; if one of them is itself wrong, this says nothing new."""

    path: Path
    message: str
    needs: tuple[Path, ...]
    is_mistake: bool = True


def check_together(configuration: Configuration) -> list[Strange]:
    """What is wrong or strange between settings that are each valid."""
    return [
        *_policies(configuration),
        *_other_hosts(configuration.policies),
        *_detectors(configuration),
        *_preventions(configuration),
        *_unasked(configuration),
        *_crawlers(configuration),
        *_extensions(configuration),
        *_levels(configuration.challenge.levels),
        *_listeners(configuration),
        *_prefix(configuration),
        *_allow_files(configuration),
    ]


def _policies(configuration: Configuration) -> Iterator[Strange]:
    first_of: dict[str, int] = {}
    for at, policy in enumerate(configuration.policies):
        path: Path = ("policies", at)
        if policy.name in first_of:
            other: Path = ("policies", first_of[policy.name], "name")
            yield Strange(
                (*path, "name"), f"policies[{other[1]}] is called {policy.name} too; accepted: a name of its own", (other,)
            )
        first_of.setdefault(policy.name, at)
        yield from _score_limits(policy, path, configuration)
        yield from _rules(policy, path, configuration.geo)
        if "/" in policy.paths:
            message = "/ is the home page alone; for every path leave `paths` out, for a folder write /api/"
            yield Strange((*path, "paths", policy.paths.index("/")), message, (), is_mistake=False)
        hider = _hidden_by(policy, configuration.policies[:at])
        if hider is not None:
            message = f"policy {policy.name} never applies: {hider.name} above it matches every request that this one would"
            yield Strange(path, message, (("policies",),), is_mistake=False)


def _other_hosts(policies: tuple[PolicyModel, ...]) -> Iterator[Strange]:
    """The Host is the client's word where nginx has no server of that name."""
    if any(matches_all(policy) for policy in policies):
        return
    for at, policy in enumerate(policies):
        if (
            policy.mode == "enforce"
            and policy.hosts
            and not any(not other.hosts and other.mode == "enforce" for other in policies)
        ):
            message = (
                "a client that asks under any other Host meets the packaged default, which only watches, where nginx's first server "
                "answers to every name; a last policy without hosts and paths decides there, or a default_server that refuses"
            )
            yield Strange(("policies", at, "hosts"), message, (("policies",),), is_mistake=False)
            return


def _score_limits(policy: PolicyModel, path: Path, configuration: Configuration) -> Iterator[Strange]:
    challenge_at, block_at = score_limits(policy, configuration)
    if challenge_at <= block_at:
        return
    key = "challenge_at" if policy.challenge_at is not None else "block_at" if policy.block_at is not None else "preset"
    needs: tuple[Path, ...] = (*((*path, one) for one in ("challenge_at", "block_at", "preset")), ("presets",))
    yield Strange(
        (*path, key),
        f"challenge_at {challenge_at} is above block_at {block_at}, so nobody would be challenged; "
        f"accepted: challenge_at up to block_at (`challenge: none` blocks without a challenge)",
        needs,
    )


def _rules(policy: PolicyModel, path: Path, geo: Geo) -> Iterator[Strange]:
    first_of: dict[str, int] = {}
    for at, rule in enumerate(policy.rules):
        here = (*path, "rules", at)
        if rule.when in (When(), When(header={})):
            accepted = ", ".join(When.model_fields)
            message = f"the rule has no condition and would hold for everybody; accepted: at least one of {accepted}"
            yield Strange((*here, "when"), message, ())
        for key, file in (("country", geo.country_mmdb), ("asn", geo.asn_mmdb)):
            if getattr(rule.when, key) is not None and file is None:
                message = f"no database tells the {key} of an address; accepted: with the file of one in geo.{key}_mmdb"
                yield Strange((*here, "when", key), message, (("geo",),))
        if rule.name in first_of:
            message = f"rules[{first_of[rule.name]}] is called {rule.name} too; accepted: a name of its own"
            yield Strange((*here, "name"), message, ((*path, "rules"),))
        first_of.setdefault(rule.name, at)


def _crawlers(configuration: Configuration) -> Iterator[Strange]:
    for key in ("name", "agent"):
        first_of: dict[str, int] = {}
        for at, entry in enumerate(configuration.crawlers.own):
            value = getattr(entry, key).lower()
            if value in first_of:
                message = f"own[{first_of[value]}] has the same {key}; accepted: one entry with a list of domains"
                yield Strange(("crawlers", "own", at, key), message, (("crawlers", "own"),))
            first_of.setdefault(value, at)


def _hidden_by(policy: PolicyModel, above: tuple[PolicyModel, ...]) -> PolicyModel | None:
    return next((earlier for earlier in above if _covers(earlier, policy)), None)


def _covers(earlier: PolicyModel, later: PolicyModel) -> bool:
    """Whether every request that `later` matches is matched by `earlier`.  False when in doubt (globs)."""
    if matches_all(earlier):
        return True
    hosts = not earlier.hosts or (bool(later.hosts) and all(_host_covered(host, earlier.hosts) for host in later.hosts))
    paths = not earlier.paths or (bool(later.paths) and all(_path_covered(path, earlier.paths) for path in later.paths))
    return hosts and paths


def _host_covered(host: str, by: tuple[str, ...]) -> bool:
    return host in by or any(name.startswith("*.") and host.endswith(name[1:]) for name in by)


def _path_covered(path: str, by: tuple[str, ...]) -> bool:
    return path in by or any(
        folder.endswith("/") and folder != "/" and "*" not in folder and path.startswith(folder) for folder in by
    )


def _detector_sections(configuration: Configuration) -> Iterator[tuple[Path, Detectors]]:
    """Everybody's, and each policy's."""
    yield ("detectors",), configuration.detectors
    for at, policy in enumerate(configuration.policies):
        yield ("policies", at, "detectors"), policy.detectors


def _detectors(configuration: Configuration) -> Iterator[Strange]:
    for path, detectors in _detector_sections(configuration):
        counts = [step.items_at_least for step in detectors.volume.steps]
        if counts != sorted(set(counts), reverse=True):
            message = (
                "the first step that holds counts, so a later one would never come; accepted: steps with falling items_at_least"
            )
            yield Strange((*path, "traversal.volume", "steps"), message, ())


def _preventions(configuration: Configuration) -> Iterator[Strange]:
    for path, detectors in _detector_sections(configuration):
        words = detectors.session_opening.prevention or ()
        if "drop_bad_reputation" in words and "rate_limit" not in words:
            message = "drop_bad_reputation works with rate_limit only; accepted: both of them, or neither"
            yield Strange((*path, "sessions.opening", "prevention"), message, ())
        elif "drop_bad_reputation" in words and all(entry.action == "ignore" for entry in configuration.reputation):
            message = (
                "drop_bad_reputation needs to know whom; accepted: with a list in `reputation` whose action is alarm or block"
            )
            yield Strange((*path, "sessions.opening", "prevention"), message, (("reputation",),))


def _unasked(configuration: Configuration) -> Iterator[Strange]:
    """Policies whose prevention is a challenge that they do not have."""
    for at, policy in enumerate(configuration.policies):
        opening = thresholds_of(configuration, policy)["sessions.opening"]
        if policy.challenge == "none" and opening["action"] == "block" and "rate_limit" not in opening["prevention"]:
            message = (
                "sessions.opening blocks by a challenge of each new session, and with `challenge: none` there is none: nobody would be "
                "stopped; prevention: [rate_limit] refuses some, `challenge: pow` asks all"
            )
            yield Strange(("policies", at, "challenge"), message, (("policies", at), ("detectors",)), is_mistake=False)


def _extensions(configuration: Configuration) -> Iterator[Strange]:
    lists = [configuration.detectors, *(policy.detectors for policy in configuration.policies)]
    found = {line for detectors in lists for line in detectors.suspicious_browser.extensions or ()}
    if len(found) > MAX_EXTENSIONS:
        message = f"all policies together name {len(found)} extensions; accepted: at most {MAX_EXTENSIONS}"
        yield Strange(("detectors", "browser.suspicious", "extensions"), message, ())


def _levels(levels: Levels) -> Iterator[Strange]:
    below_name, below = "light", levels.light.puzzles * 2**levels.light.bits
    for name, level in (("normal", levels.normal), ("hard", levels.hard)):
        amount = level.puzzles * 2**level.bits
        if amount < below:
            message = (
                f"{name} is less work than {below_name}; accepted: puzzles x 2^bits that does not fall from level to level"
            )
            yield Strange(("challenge", "levels", name), message, (("challenge", "levels"),))
        below_name, below = name, amount


def _allow_files(configuration: Configuration) -> Iterator[Strange]:
    files = [at for at, text in enumerate(configuration.allow.networks) if text.startswith("/")]
    if len(files) > MAX_ALLOW_FILES:
        message = f"{len(files)} files are named; accepted: at most {MAX_ALLOW_FILES}"
        yield Strange(("allow", "networks", files[MAX_ALLOW_FILES]), message, ())


def _listeners(configuration: Configuration) -> Iterator[Strange]:
    edges = configuration.edges
    listeners: list[tuple[Path, str | None]] = [
        (("edges", "nginx", "listen"), edges.nginx.listen),
        (("edges", "forward", "listen"), edges.forward.listen),
        (("edges", "grpc", "listen"), edges.grpc.listen),
        (("web", "listen"), configuration.web.listen),
    ]
    if all(listen is None for _, listen in listeners[:3]):
        message = "no edge has a listener, so nobody could ask; accepted: a listen address for one of nginx, forward, grpc"
        yield Strange(("edges",), message, (("edges",),))
    first_of: dict[str, Path] = {}
    for path, listen in listeners:
        if listen is not None and listen in first_of:
            other = first_of[listen]
            yield Strange(path, f"{path_text(other[:-1])} listens at {listen} too; accepted: an address of its own", (other,))
        if listen is not None:
            first_of.setdefault(listen, path)
    for (path, listen), edge in zip(listeners, (edges.nginx, edges.forward, edges.grpc), strict=False):
        if listen is not None and not listen.startswith("unix:") and not edge.trusted:
            message = "nobody is believed on this TCP listener, so it can judge nobody; name the gateway's addresses here"
            yield Strange((*path[:-1], "trusted"), message, (), is_mistake=False)


def _prefix(configuration: Configuration) -> Iterator[Strange]:
    """Its other half is written where this file is not read, and who is challenged meanwhile has a page without script."""
    prefix = configuration.challenge.prefix
    if prefix != Challenge().prefix and configuration.edges.nginx.listen is not None:
        message = (
            f"nobody can solve a challenge until nginx knows this prefix too: `botsieve nginx install --prefix {prefix}` "
            "(with what else it was called with), then reload nginx"
        )
        yield Strange(("challenge", "prefix"), message, (), is_mistake=False)
