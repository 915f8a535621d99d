"""The situation report: what happened, what was decided and why, what fell when, what still stands."""
