//! A priority conversation scheduler: per-session order, weighted fairness, admission control, deadlines.
