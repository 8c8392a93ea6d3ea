"""The twenty-five nasty inputs, each with its correct result for every listener and reader that can receive it."""
