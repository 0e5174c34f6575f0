"""What is fuzzed, one module each: ``run(data)`` tries one input, ``seeds()`` gives inputs to begin with."""
