"""The admission webhook: reads AdmissionReview v1 and answers with AdmissionReview v1."""
