# SPDX-License-Identifier: GPL-2.0-or-later
"""A venue as the operators' pages see it: what a fake daemon answers, with an
operator of any role. What a role may ask for is read from the daemon's table."""
import re

from fake import ROOT

ROLES = ["staff", "supervisor", "manager", "admin"]
TABLE = re.findall(r'^\t\{"([a-z._]+)", PROOF_(?:DESK|OPERATOR)(?: \| PROOF_STAFF)?, ROLE_([A-Z]+)',
                   (ROOT / "userspace/daemon/ops.c").read_text(), re.M)
MAC = "A4:83:E7:2B:4F:2A"
AT = "2026-11-21T09:00:00Z"
EVIL = "<b>&\"'"  # wherever a name may be anything

CLIENT = {
    "mac": MAC, "id": 17, "name": "Room 12" + EVIL, "note": EVIL, "state": "running",
    "network": "guest", "plan": "Daily", "kind": "coin", "remainingSeconds": 93541,
    "creditSeconds": 93541, "remainingBytes": 1500000000, "bytesUp": 100200,
    "bytesDown": 20004000, "lastSeen": AT, "expiresAt": AT, "blocked": False,
    "mayPause": True, "randomMac": True, "upKbps": 10000, "downKbps": 10000, "group": None,
    "addresses": [{"address": "10.77.0.12", "lastSeen": AT, "leaseUntil": None}],
    "credits": [{"kind": "coin", "plan": "Daily", "seconds": 93541, "bytes": None},
                {"kind": "manual", "plan": None, "seconds": 600, "bytes": None}]}
WAITING = {**CLIENT, "mac": "02:00:5E:10:00:01", "name": None, "note": None,
           "state": "captive", "kind": None, "plan": None}
CODE = "WIFI7KMW3PXQ9"
VOUCHER = {"id": 1, "code": CODE, "state": "unused", "plan": "Daily", "batch": "summer",
           "expiresAt": None, "usedAt": None, "usedMac": None, "soldAt": AT, "soldBy": "anna",
           "refunded": False}
PRINTED = {"code": CODE, "plan": "Daily" + EVIL, "minutes": 60, "megabytes": None,
           "priceMinor": 50000, "currency": "TZS", "devices": 1, "hours": None,
           "expiresAt": None}

REPLIES = {
    "status": {
        "version": "0.1.0", "sessions": 42, "captive": 7, "ports": [], "store": "ok",
        "networks": [{"name": "guest", "problem": ""},
                     {"name": "bar", "problem": "the box does not have the address portal4"}]},
    "payments.sums": {"items": [
        {"day": "2026-11-21", "who": "operator anna", "method": "cash", "currency": "TZS",
         "sales": 12, "totalMinor": 1250000},
        {"day": "2026-11-21", "who": "slot main", "method": "coin", "currency": "TZS",
         "sales": 3, "totalMinor": 50}], "next": None},
    "events.list": {"items": [
        {"id": 1, "lastAt": AT, "type": "guessing", "severity": "HIGH", "mac": None,
         "description": "somebody tries out codes"},
        {"id": 2, "lastAt": AT, "type": "twin", "severity": "MEDIUM", "mac": MAC,
         "description": EVIL}]},
    "clients.list": {"items": [CLIENT, WAITING, {**CLIENT, "state": "held"}], "next": 55},
    "clients.get": CLIENT,
    "plans.list": {"items": [{"name": "1 Hour", "priceMinor": 50000, "currency": "TZS"},
                             {"name": "Daily" + EVIL, "priceMinor": 150, "currency": "TZS"}]},
    "batches.list": {"items": [
        {"batch": "sum mer", "plan": "Daily", "createdAt": AT, "vouchers": 100, "unused": 88,
         "used": 12}], "next": None},
    "vouchers.list": {"items": [VOUCHER, {**VOUCHER, "state": "used", "usedAt": AT,
                                          "usedMac": MAC}], "next": None},
    "vouchers.get": VOUCHER,
    "vouchers.sell": {"items": [PRINTED], "paidMinor": 100000, "currency": "TZS",
                      "venue": "The bar", "portal": "http://10.77.0.1/"},
    "vouchers.create": {"batch": "20261121-1", "codes": [CODE]},
    "payments.list": {"items": [
        {"id": 5, "paidAt": AT, "plan": "Daily", "who": "anna", "amountMinor": 100000,
         "currency": "TZS", "status": "paid"},
        {"id": 4, "paidAt": AT, "plan": "Daily", "who": "anna", "amountMinor": 100000,
         "currency": "TZS", "status": "refunded"}]},
    "statistics.list": {"items": [
        {"day": "2026-11-20", "plan": "Daily", "sessions": 5, "bytesUp": 100,
         "bytesDown": 100000000, "revenueMinor": 500000, "currency": "TZS"}]},
}

TOKEN48 = "5e" * 24
QR = {"qrTokenId": "3", "token": TOKEN48, "label": "Lobby" + EVIL, "expiresAt": AT,
      "loginUrl": "https://portal.example/login?token=" + TOKEN48, "venue": "The bar" + EVIL,
      "ssid": "Bar"}
MEMBER = {"id": 1, "identity": "maria@example.org", "name": "Maria" + EVIL, "email": None,
          "role": "guest", "operator": None, "plan": "1 Hour", "devices": 5, "checkIn": AT,
          "checkOut": AT, "proofName": "L\u00f3pez", "proofRoom": "12", "online": 1}
REPLIES |= {
    "qr.list": {"qrTokens": [
        {"id": 3, "createdAt": AT, "expiresAt": AT, "isActive": True, "createdBy": "anna",
         "sessionCount": 12, "label": "Lobby" + EVIL, "revokedAt": None},
        {"id": 2, "createdAt": AT, "expiresAt": AT, "isActive": False, "createdBy": "anna",
         "sessionCount": 112, "label": None, "revokedAt": AT}], "next": None},
    "qr.show": QR, "qr.generate": QR,
    "qr.sessions": {"items": [
        {"id": 9, "identity": "maria@example.org", "name": EVIL, "role": "guest", "mac": MAC,
         "createdAt": AT, "expiresAt": AT}], "next": 9},
    "members.list": {"items": [MEMBER], "next": 1},
    "members.get": MEMBER,
    "operators.totp.begin": {"name": "anna", "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
                   "url": "otpauth://totp/The%20bar:anna?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"},
    "operators.list": {"items": [{"name": "anna"}, {"name": "bert"}]},
}


def sheet(args):
    """A batch of 60 in two pieces."""
    first = "after" not in args
    return {"venue": "The bar", "portal": "http://10.77.0.1/", "ssid": None,
            "items": [PRINTED] * (50 if first else 10), "next": 50 if first else None}


def may(role):
    return [op for op, least in TABLE if ROLES.index(least.lower()) <= ROLES.index(role)]


class Venue:
    """A daemon's `reply`; `refuse` maps operations to codes."""

    def __init__(self, role="admin"):
        self.role, self.refuse, self.totp = role, {}, False

    def __call__(self, op, args):
        if op in self.refuse or (op != "operators.me" and op not in may(self.role)
                                 and op != "operators.login"):
            return {"success": False, "error": f"No: {op}.",
                    "code": self.refuse.get(op, "not_allowed")}
        if op == "operators.me":
            return {"success": True, "name": "anna", "role": self.role, "expiresAt": None,
                    "totp": self.totp, "operations": may(self.role)}
        return {"success": True, **(sheet(args) if op == "vouchers.sheet"
                                    else REPLIES.get(op, {}))}
