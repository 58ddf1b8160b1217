"""What the Router pane can show: one file per question asked of the router."""
