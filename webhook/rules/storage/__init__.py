"""Rules about volumes and the claims behind them."""
