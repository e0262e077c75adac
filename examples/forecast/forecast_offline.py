"""The CF 1.8 check, kept from the network: what a file says must not make the check go anywhere.

A file may name a version of the standard name table, or identifiers of species, that the checker would ask servers for.
"""

from __future__ import annotations

from typing import Any

from compliance_checker.cf.cf import CF1_8Check


class OfflineCheck(CF1_8Check):
    def _find_cf_standard_name_table(self, ds: Any) -> bool:
        return False  # the table of the package stands

    def handle_lsid(self, taxon_lsid_variable: Any, taxon_name_variable: Any) -> list[str]:
        return []
