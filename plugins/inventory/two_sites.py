# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of both sites: fixed hosts from a file and servers from OpenStack, merged and checked."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible import constants
from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ..plugin_utils.two_sites.collecting import Source, collect
from ..plugin_utils.two_sites.collector import paused_collector
from ..plugin_utils.two_sites.configuration import Configuration, read_configuration
from ..plugin_utils.two_sites.duplicate_keys import refuse_duplicate_keys
from ..plugin_utils.two_sites.entries import Entry
from ..plugin_utils.two_sites.errors import TwoSitesError
from ..plugin_utils.two_sites.fixed_hosts import FixedHost, read_fixed_hosts
from ..plugin_utils.two_sites.merge import Answer, Host, merge
from ..plugin_utils.two_sites.snapshots import snapshot_to_data, young_snapshots
from ..plugin_utils.two_sites.trusting import Marker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..plugin_utils.two_sites.compute_api import Connection
    from ..plugin_utils.two_sites.servers import Snapshot

DOCUMENTATION = r"""
name: two_sites
short_description: Fixed hosts and OpenStack servers in one inventory that never reads silence as empty
author: The Understudy authors
description:
  - Merges the hosts written in O(fixed_hosts) with the servers of O(clouds). Networks place every host in its
    site.
  - Groups are one per site and one per function, nothing else; plays say C(hosts=was:&cloud). More groups and
    variables come from O(keyed_groups), O(groups) and O(compose).
  - All clouds are asked at the same time. A cloud that refuses, hangs, answers an error, broken JSON or only
    a part (also one whose Compute cell is down) is never read as empty, see O(clouds[].on_unreachable).
  - A server belongs to this project when its metadata has C(understudy_function), one function or several
    with commas between. C(burst=true) marks one made for a peak. An unknown function is a warning, and the
    server is listed without it, so that one wrong tag does not blind the operators.
  - Servers whose state is in O(running_states) are in their groups; all others (BUILD, ERROR, ...) are listed
    in C(all) with their variables and in no group.
  - Every host has C(two_sites_site), C(two_sites_addresses) (network name to address),
    C(two_sites_functions), C(two_sites_source) (V(fixed) or the cloud), C(two_sites_status) (the cloud's
    word, or V(FIXED)), C(two_sites_burst), C(two_sites_stale), C(two_sites_snapshot_age_seconds) and
    C(two_sites_server) (id, name, flavor, image, created, metadata, availability_zone; empty for fixed
    hosts).
  - Text that comes from a cloud is never evaluated as a template.
notes:
  - The name of the configuration file ends in C(two_sites.yml) or C(two_sites.yaml). Give Ansible this file,
    not its folder; C(group_vars) beside it are read.
  - Ansible goes on without hosts when an inventory cannot be read, unless C(ansible.cfg) has
    C(any_unparsed_is_failed = true) in section C([inventory]). Set it, or an error here is only a warning.
  - O(cache) keeps complete lists for O(cache_timeout) seconds. A list from the cache is marked with its age
    and is not stale. The list of a silent cloud is never cached. The fixed hosts and this file are read every
    time.
  - Needs openstacksdk and netaddr on the controller.
options:
  plugin:
    description: The name of this plugin.
    required: true
    choices: [two_sites, understudy.hybrid.two_sites]
  sites:
    description:
      - Every site with its named networks, in prefix notation without host bits. No two networks may overlap.
      - All servers of a cloud are at the cloud's site; an address of theirs at another site is an error, and
        so is an address of any host that is in no network of a site and not in O(management_networks).
    type: dict
    required: true
  management_networks:
    description: Networks that belong to no site. Their address of a host is called C(management).
    type: list
    elements: str
    default: []
  reach_over:
    description:
      - Which address becomes C(ansible_host), V(site) for the first of the site's networks, in the order of
        O(sites), in which the host has an address, V(management) for the one in O(management_networks).
      - A fixed host without such an address is an error; a running server without one is listed in no group,
        with a warning.
    choices: [site, management]
    default: site
  reach_over_override:
    description: Goes before O(reach_over), for a process that stands elsewhere and shares the file.
    choices: [site, management]
    env: [{name: UNDERSTUDY_REACH_OVER}]
  functions:
    description: All functions that a host can have. No function may be called like a site.
    type: list
    elements: str
    required: true
  fixed_hosts:
    description:
      - A YAML file, relative to this one, with the key C(hosts). Each host there has C(addresses) (network
        name or C(management) to address), C(functions) and, if wanted, C(vars).
    type: str
  clouds_yaml:
    description:
      - The clouds.yaml to use, relative to this file. Looked for like the openstack client does if not given.
    type: str
    env: [{name: OS_CLIENT_CONFIG_FILE}]
  clouds:
    description: The clouds to ask.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name of the cloud in clouds.yaml.
        type: str
        required: true
      site:
        description: The site at which the cloud's servers are.
        type: str
        required: true
      on_unreachable:
        description:
          - What the cloud's silence means. V(serve_last_good) serves the last complete list with
            C(two_sites_stale=true) and its age, with a warning; without such a list it is an error. V(fail)
            makes silence an error at once.
        type: str
        choices: [serve_last_good, fail]
        default: serve_last_good
      timeout_seconds:
        description: How long the cloud may take for everything, authentication and all pages included.
        type: float
        default: 5
  last_good_directory:
    description:
      - Where the last complete list of every cloud is kept, relative to this file. Made with mode 0700.
    type: str
    default: ~/.local/state/understudy/two_sites
    env: [{name: UNDERSTUDY_LAST_GOOD_DIRECTORY}]
  running_states:
    description: States of a server in which its machine runs, so that it is in its groups.
    type: list
    elements: str
    default: [ACTIVE, HARD_REBOOT, MIGRATING, PASSWORD, REBOOT, VERIFY_RESIZE]
  only_ours:
    description: Leave out servers without C(understudy_function). V(false) lists them in their site's group.
    type: bool
    default: true
extends_documentation_fragment: [constructed, inventory_cache]
"""

EXAMPLES = r"""
# inventories/production/two_sites.yml
plugin: understudy.hybrid.two_sites
sites:
  colo: {networks: {lan: 10.20.0.0/22, public: 198.51.100.0/26}}
  cloud: {networks: {lan: 10.30.0.0/20, public: 203.0.113.0/25}}
  witness: {networks: {public: 192.0.2.0/28}}
functions: [gateway, edge, was, database, ops, observer]
fixed_hosts: fixed_hosts.yml
clouds:
  - {name: production, site: cloud, timeout_seconds: 5}
keyed_groups:
  - {key: two_sites_server.flavor, prefix: flavor}
groups:
  burst: two_sites_burst

# inventories/production/fixed_hosts.yml
# hosts:
#   colo-was1: {addresses: {lan: 10.20.0.11}, functions: [was]}
"""

OVERRIDE = "reach_over_override"
EMPTY_IS_READ = (
    " Ansible is about to go on without these hosts: set any_unparsed_is_failed = true in section [inventory]"
    " of ansible.cfg."
)


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc]  # ansible is untyped
    """Connect the merge with Ansible: options, cache, hosts and groups."""

    NAME = "understudy.hybrid.two_sites"

    def verify_file(self, path: str) -> bool:
        """Say whether a file is meant for this plugin, by its name."""
        return bool(super().verify_file(path)) and path.endswith(("two_sites.yml", "two_sites.yaml"))

    @staticmethod
    def preload() -> None:
        """Import what asking a cloud takes: for a process that forks for each run (runner/execute/preload.py)."""
        from keystoneauth1 import loading  # noqa: PLC0415 - comes with openstacksdk, see _connections

        from ..plugin_utils.two_sites import clouds_file  # noqa: F401, PLC0415 - see _connections

        loading.get_plugin_loader("password")  # reads the list of all kinds there are, once

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill Ansible's inventory from the configuration file at `path`.

        Raises AnsibleParserError with a sentence that names what is wrong.
        """
        super().parse(inventory, loader, path, cache)
        try:
            with paused_collector():
                self._fill(path, use_cache=cache)
        except TwoSitesError as error:
            hint = "" if constants.config.get_config_value("INVENTORY_ANY_UNPARSED_IS_FAILED") else EMPTY_IS_READ
            raise AnsibleParserError(f"{error}{hint}") from None

    def _fill(self, path: str, *, use_cache: bool) -> None:
        data = self._yaml(path)
        override = self._environment_entry()
        configuration = read_configuration(path, data, set(self.option_definitions) - {OVERRIDE}, override)
        self._redirected_names: list[str] | None = ["two_sites", self.NAME]
        self._read_config_data(path)
        fixed_hosts = self._fixed_hosts(configuration)
        now = time.time()
        merged = merge(configuration, fixed_hosts, self._answers(configuration, now, use_cache=use_cache), now)
        for warning in merged.warnings:
            self.display.warning(warning)
        for group in (*configuration.site_networks, *configuration.functions):
            self.inventory.add_group(group)
        marker = Marker()
        for host in merged.hosts:
            self._add(host, marker)
        self._construct(merged.hosts)

    def _environment_entry(self) -> Entry | None:
        value = constants.config.get_config_value(OVERRIDE, plugin_type=self.plugin_type, plugin_name=self._load_name)
        return Entry("environment", "UNDERSTUDY_REACH_OVER", value) if value is not None else None

    def _yaml(self, file: str) -> Any:
        refuse_duplicate_keys(file, str(self.loader.get_text_file_contents(file)))
        return self.loader.load_from_file(file, cache="none", trusted_as_template=True)

    def _beside(self, configuration: Configuration, option: str) -> Path | None:
        value = self.get_option(option)
        return Path(configuration.file).parent / Path(value).expanduser() if value else None

    def _fixed_hosts(self, configuration: Configuration) -> tuple[FixedHost, ...]:
        file = self._beside(configuration, "fixed_hosts")
        if file is None:
            return ()
        if not file.is_file():
            Entry(configuration.file, "fixed_hosts", str(file)).refuse("an existing file")
        return read_fixed_hosts(str(file), self._yaml(str(file)), configuration.functions)

    def _answers(self, configuration: Configuration, now: float, *, use_cache: bool) -> tuple[Answer, ...]:
        caching = bool(self.get_option("cache"))
        key = self.get_cache_key(configuration.file)
        cached = self._cached(key, now) if caching and use_cache else {}
        connections = self._connections(configuration)
        sources = {}
        for cloud in configuration.clouds:
            connection = connections[cloud.name]
            snapshot = cached.get(connection.identity)
            sources[cloud.name] = Source(cloud, connection.identity, connection.ask, snapshot)
        directory = self._beside(configuration, "last_good_directory") or Path()
        collected = collect(sources, directory, now)
        for warning in collected.warnings:
            self.display.warning(warning)
        if caching:
            self._cache[key] = [snapshot_to_data(each.snapshot) for each in collected.answers if not each.stale]
        return collected.answers

    def _connections(self, configuration: Configuration) -> Mapping[str, Connection]:
        if not configuration.clouds:
            return {}
        try:  # only here: the sdk takes 0.6 s to import, and not every inventory has a cloud
            from ..plugin_utils.two_sites.clouds_file import connections_to  # noqa: PLC0415 - see above
        except ImportError as error:
            raise TwoSitesError(f"{error}. Install openstacksdk, which reads clouds.yaml.") from error
        return connections_to(configuration, self._beside(configuration, "clouds_yaml"))

    def _cached(self, key: str, now: float) -> Mapping[str, Snapshot]:
        try:
            kept = self._cache[key]
        except KeyError:
            return {}
        return young_snapshots(Entry("cache", key, kept), now, int(self.get_option("cache_timeout") or 0))

    def _add(self, host: Host, marker: Marker) -> None:
        self.inventory.add_host(host.name)
        for group in host.groups:
            self.inventory.add_child(group, host.name)
        # Not set_variable: it walks and marks every value, which for 10,000 servers costs more than a second.
        self.inventory.get_host(host.name).vars.update(marker.mark(host.variables))
        for name, value in host.written_variables.items():
            self.inventory.set_variable(host.name, name, value)

    def _construct(self, hosts: tuple[Host, ...]) -> None:
        compose, groups, keyed = (self.get_option(name) for name in ("compose", "groups", "keyed_groups"))
        if not (compose or groups or keyed):
            return
        strict = self.get_option("strict")
        for host in hosts:
            known = self.inventory.get_host(host.name)
            self._set_composite_vars(compose, known.get_vars(), host.name, strict=strict)
            variables = known.get_vars()
            self._add_host_to_composed_groups(groups, variables, host.name, strict, fetch_hostvars=False)
            self._add_host_to_keyed_groups(keyed, variables, host.name, strict, fetch_hostvars=False)
