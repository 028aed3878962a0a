"""The entry of alerts as the document shows it. The requests themselves go to `intake`, past everything else."""

from typing import Any

from fastapi import APIRouter

from runner.web import intake, problems, shapes

router = APIRouter(tags=["alerts"])
ABOUT = f"""Take a delivery of Alertmanager (webhook version 4) or Grafana, up to {intake.LARGEST_BODY // 2**20} MiB.

202 means that its body is on disk. 503 means that nothing was kept, and the sender repeats it. A delivery that came
before is answered 202 and recorded as a repeat."""
ALERT = {
    "status": "firing",
    "labels": {"alertname": "BookingSlow", "severity": "page"},
    "annotations": {"summary": "Buying a ticket takes 2.4 s."},
    "startsAt": "2026-11-25T07:52:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "fingerprint": "6d1f8a3c5b2e4f70",
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object", "required": ["alerts"], "properties": {"alerts": {"type": "array"}}},
                "example": {"version": "4", "alerts": [ALERT]},
            }
        },
    },
    "security": [{"token": []}],
}


@router.post(
    "/alerts",
    status_code=202,
    description=ABOUT,
    responses=problems.documented(400, 413, 415, 503, scope=intake.SCOPE),
    openapi_extra=BODY,
)
async def take_alerts() -> shapes.Taken:
    """Stand in the document; never called."""
    raise NotImplementedError("POST /alerts goes to the intake.")
