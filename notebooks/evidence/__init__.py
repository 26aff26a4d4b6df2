"""Helpers of the report's notebooks, one module a role.

data      give me this table          measures  compute this
charts    draw this                   figure    publish this chart or table
claims    what do we conclude         text      say this number
"""
import sys

sys.modules.setdefault("rfc3987_syntax", None)  # JupyterLab brings it, jsonschema would load it: seconds of every start
