"""Helpers of the Customer Workbook: door (read, checks, demo), questions, face (widgets, report, cli)."""
