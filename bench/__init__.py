"""Compares Imagewright with PrimeHub's flow on the same work, side by side in one run.

`scripts/bench` builds the program and starts `python3 -m bench`. Nothing but Python's own library is used.

How the modules depend on each other, the first on the last:

    __main__    from options to report
    scenarios   which builds are made, in which order, with which caches
    system      the same for system packages
    ground      what every comparison starts from, and what is kept of it
    peer        PrimeHub's flow: its Dockerfile, built by buildah, then pushed
    engine      one run of `imagewright build`
    proof       both images hold the same packages and import them as fast
    report      the results as JSON and as the README's tables
    rows        the rows of that table and their aims
    measure     seconds, memory and the registry's traffic of one build
    registry, containers, base, machine, processes, options
"""
