"""What users call, one file per modality."""
