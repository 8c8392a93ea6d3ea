"""Rules about CPU models, CPU features and encrypted memory."""
