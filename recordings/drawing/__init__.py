"""Drawing annotated videos in processes of their own, beside the analysis of other recordings."""
