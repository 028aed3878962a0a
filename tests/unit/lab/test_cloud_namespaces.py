from __future__ import annotations

from pathlib import Path

from lab import cloud_cgroups, cloud_holder

HYBRID = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime shared:5 - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
HYBRID_MEMBERSHIP = "9:name=systemd:/\n4:memory:/session/1\n1:cpu,cpuacct:/\n0::/\n"
UNIFIED = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
UNIFIED_MEMBERSHIP = "0::/system.slice/understudy-us-cloud.scope\n"


def test_each_mounted_hierarchy_is_found_with_what_mounts_it_again() -> None:
    found = cloud_cgroups.hierarchies(HYBRID, HYBRID_MEMBERSHIP)

    assert [(each.mount_point.name, each.kind, each.options) for each in found] == [
        ("cpu,cpuacct", "cgroup", "cpu,cpuacct"),
        ("memory", "cgroup", "memory"),
        ("systemd", "cgroup", "none,name=systemd"),
        ("unified", "cgroup2", ""),
    ]


def test_the_clouds_cgroups_lie_below_those_of_whoever_starts_it() -> None:
    found = cloud_cgroups.hierarchies(HYBRID, HYBRID_MEMBERSHIP)

    assert {each.mount_point.name: each.own for each in found}["memory"] == "session/1"


def test_a_tree_that_is_mounted_from_its_middle_is_entered_below_that() -> None:
    mounted = HYBRID.replace("0:32 / ", "0:32 /session ")

    found = cloud_cgroups.hierarchies(mounted, HYBRID_MEMBERSHIP)

    assert {each.mount_point.name: each.own for each in found}["memory"] == "1"


def test_a_unified_tree_is_told_from_a_hybrid_one() -> None:
    unified = cloud_cgroups.hierarchies(UNIFIED, UNIFIED_MEMBERSHIP)

    assert not cloud_cgroups.is_hybrid_or_legacy(unified)
    assert cloud_cgroups.is_hybrid_or_legacy(cloud_cgroups.hierarchies(HYBRID, HYBRID_MEMBERSHIP))
    assert unified[0].own == "system.slice/understudy-us-cloud.scope"


def test_libvirt_does_not_see_the_version_2_half_of_a_hybrid_machine() -> None:
    mounts = cloud_holder.plan(Path("/state"), cloud_cgroups.hierarchies(HYBRID, HYBRID_MEMBERSHIP))

    targets = {each.target for each in mounts}
    assert "/sys/fs/cgroup/memory" in targets
    assert not [each for each in mounts if each.kind == "cgroup2"]


def test_a_unified_machine_keeps_its_one_tree() -> None:
    mounts = cloud_holder.plan(Path("/state"), cloud_cgroups.hierarchies(UNIFIED, UNIFIED_MEMBERSHIP))

    assert [each.target for each in mounts if each.kind.startswith("cgroup")] == ["/sys/fs/cgroup"]


def test_nothing_is_mounted_before_the_mounts_are_private() -> None:
    mounts = cloud_holder.plan(Path("/state"), cloud_cgroups.hierarchies(HYBRID, HYBRID_MEMBERSHIP))

    assert (mounts[0].target, mounts[0].kind) == ("/", "")
    assert [each.target for each in mounts].index("/sys") < [each.target for each in mounts].index("/sys/fs/cgroup")
