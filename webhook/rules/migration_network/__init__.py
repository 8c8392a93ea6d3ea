"""Rules about NetworkAttachmentDefinitions that carry migration traffic."""
