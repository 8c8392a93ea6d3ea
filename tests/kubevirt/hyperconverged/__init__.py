"""Tests of webhook.kubevirt.hyperconverged."""
