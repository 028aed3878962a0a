"""Fill the cloud: identity, flavours, networks and image. The only module of the lab that imports openstack."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import openstack
from keystoneauth1 import exceptions as keystone_exceptions
from openstack import exceptions as openstack_exceptions

from lab import cloud_guard, cloud_identity, cloud_operator, cloud_supervisor
from lab.cloud_holder import HOST_NAME
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.cloud_layout import Layout
    from lab.cloud_settings import Settings

_PAUSE_SECONDS = 0.25
# While services start, an API is not there, is not in the catalogue, or does not know a token yet.
_UNREADY_STATUS = {None, 401, 404, 409}
_AGGREGATE = "lab"
_AGENTS = {"neutron-linuxbridge-agent", "neutron-dhcp-agent"}


def connect(layout: Layout, name: str) -> Any:
    """Return a connection as one of the clouds of the operator's clouds.yaml."""
    files = [str(cloud_operator.clouds_yaml(layout))]
    config = openstack.config.OpenStackConfig(config_files=files, load_envvars=False)
    return openstack.connection.Connection(config=config.get_one(name))


def ensure(layout: Layout, settings: Settings, image: Path, image_name: str, deadline_seconds: float) -> list[str]:
    """Bring the cloud's content to what `settings` say, and return what was made.

    Waits for each API as it comes up. Raises LabError that names what was waited for when the deadline passes.
    """
    deadline = time.monotonic() + deadline_seconds
    changed = [cloud_operator.clouds_yaml(layout).name] if cloud_operator.write_clouds(layout, settings) else []

    def patiently(what: str, attempt: Callable[[], Any]) -> Any:
        return wait_for(what, attempt, deadline, lambda: cloud_supervisor.troubled(layout.supervisor_socket))

    cloud = patiently("Keystone to know the administrator", lambda: _log_in(layout))
    changed += patiently("Keystone to take users and services", lambda: cloud_identity.ensure(cloud, layout, settings))
    parts: dict[str, Callable[[Any], list[str]]] = {
        "Glance to take the image": lambda own: _image(own, image, image_name),
        "Nova to take the flavours": lambda own: _flavours(own, settings),
        "Neutron to take the networks": lambda own: _networks(own, settings),
    }

    def part(
        what: str,
    ) -> Any:  # its own connection: one is not for several threads, and knows only the older catalogue
        return patiently(what, lambda: parts[what](connect(layout, cloud_operator.ADMINISTRATOR)))

    with ThreadPoolExecutor(len(parts)) as pool:
        for made in pool.map(part, parts):
            changed += made
    cloud_guard.ensure(layout, settings)
    cloud = connect(layout, cloud_operator.ADMINISTRATOR)
    patiently("Neutron's agents to report", lambda: _agents_are_alive(cloud))
    patiently("Nova to map the hypervisor to its cell", lambda: any(cloud.compute.hypervisors()))
    patiently("Nova to fetch the image before its first server", lambda: _fetch(cloud, image_name))
    return changed


def wait_for[Answer](
    what: str, attempt: Callable[[], Answer], deadline: float, troubled: Callable[[], list[str]] = list
) -> Answer:
    """Repeat an attempt until it answers something other than None or False; `deadline` is of the monotonic clock.

    Raises LabError with the last cause, and with the services that do not run, after the deadline, or at once for an
    answer that waiting does not change.
    """
    cause: Exception | None = None
    while True:
        try:
            answer = attempt()
            if answer is not None and answer is not False:
                return answer
        except (keystone_exceptions.ClientException, openstack_exceptions.SDKException) as error:
            cause = error
            if not _may_pass(error):
                raise LabError(f"Waited for {what}, and the answer was: {error}; correct what it names.") from error
        if time.monotonic() > deadline:
            services = ", ".join(troubled()) or "none"
            raise LabError(
                f"Waited in vain for {what}; the last answer was: {cause or 'not yet'}; services that do not run: "
                f"{services}; see their logs, or run `make lab` again."
            ) from cause
        time.sleep(_PAUSE_SECONDS)


def _may_pass(error: Exception) -> bool:
    status = getattr(error, "status_code", None) or getattr(error, "http_status", None)
    return status in _UNREADY_STATUS or (isinstance(status, int) and status >= 500)


def _log_in(layout: Layout) -> Any:
    cloud = connect(layout, cloud_operator.ADMINISTRATOR)
    try:
        cloud.authorize()
    except (keystone_exceptions.ClientException, openstack_exceptions.SDKException):
        # The start that should have made the administrator ended too early.
        if cloud_supervisor.states(layout.supervisor_socket)[cloud_supervisor.BOOTSTRAP] in {"STOPPED", "FATAL"}:
            cloud_supervisor.begin(layout.supervisor_socket, cloud_supervisor.BOOTSTRAP)
        raise
    return cloud


def _flavours(cloud: Any, settings: Settings) -> list[str]:
    known = {each.name for each in cloud.compute.flavors()}
    wanted = [each for each in settings.flavours if each.name not in known]
    for each in wanted:
        cloud.compute.create_flavor(is_public=True, name=each.name, ram=each.ram, vcpus=each.vcpus, disk=each.disk)
    return [f"flavour {each.name}" for each in wanted]


def _networks(cloud: Any, settings: Settings) -> list[str]:
    """Make the provider networks; the project owns them, so that its user may choose addresses in them."""
    changed = []
    network, project = cloud.network, cloud.identity.find_project(settings.project)
    for wanted in settings.provider_networks:
        made = network.find_network(wanted.name)
        if made is None:
            made = network.create_network(
                name=wanted.name,
                project_id=project.id,
                is_shared=True,
                provider_network_type="flat",
                provider_physical_network=wanted.name,
            )
            changed.append(f"network {wanted.name}")
        if not list(network.subnets(network_id=made.id)):
            network.create_subnet(
                name=wanted.name,
                network_id=made.id,
                project_id=project.id,
                ip_version=4,
                cidr=str(wanted.prefix),
                gateway_ip=str(wanted.gateway) if wanted.gateway else None,
                is_dhcp_enabled=True,
                dns_nameservers=[str(each) for each in wanted.name_servers],
                host_routes=[{"destination": str(to), "nexthop": str(via)} for to, via in wanted.host_routes],
                allocation_pools=[{"start": str(wanted.pool[0]), "end": str(wanted.pool[1])}],
            )
            changed.append(f"subnet {wanted.name}")
    return changed


def _image(cloud: Any, path: Path, name: str) -> list[str]:
    """Upload the image under its name; one that was not finished, or is of an older recipe, is replaced."""
    found = cloud.image.find_image(name)
    if found is not None and found.status == "active" and found.properties.get("understudy_recipe") == path.stem:
        return []
    if found is not None:
        cloud.image.delete_image(found)
    made = cloud.image.create_image(
        name=name, disk_format="qcow2", container_format="bare", visibility="public", understudy_recipe=path.stem
    )
    with path.open("rb") as data:
        made.data = data
        made.upload(cloud.image)
    return [f"image {name}"]


def _fetch(cloud: Any, image_name: str) -> bool:
    """Have the hypervisor fetch the image in the background; the first server would wait for it."""
    compute = cloud.compute
    aggregate = next(iter(compute.aggregates()), None) or compute.create_aggregate(name=_AGGREGATE)
    if HOST_NAME not in (aggregate.hosts or []):
        compute.add_host_to_aggregate(aggregate, HOST_NAME)
    compute.aggregate_precache_images(aggregate, [cloud.image.find_image(image_name).id])
    return True


def _agents_are_alive(cloud: Any) -> bool:
    return {each.binary for each in cloud.network.agents() if each.is_alive} >= _AGENTS
