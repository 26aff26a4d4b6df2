"""Helpers of the report's notebooks, one module a role.

data      give me this table          measures  compute this
charts    draw this                   figure    publish this chart or table
claims    what do we conclude         text      say this number
"""
