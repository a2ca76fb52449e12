"""Helpers of the Customer Workbook.

Door (read, checks, demo), questions, face (widgets, report, cli).
"""
