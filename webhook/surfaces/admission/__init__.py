"""The admission door: AdmissionReview v1 in, AdmissionReview v1 out."""
