"""Whole processes of weir, measured: benches/whole/run says what for."""
