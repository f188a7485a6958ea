"""The chapters of the contract of projection stores."""
