"""Attacks: thresholds that are crossed by somebody over time, the incidents they make and the preventions that answer them."""
