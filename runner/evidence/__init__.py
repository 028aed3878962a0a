"""Evidence of drills, failovers and proofs: folders that are sealed once, chained and signed."""
