"""What every stage stands on: tables, files, locks, checkpoints, devices. It knows no stage."""
