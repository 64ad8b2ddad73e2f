//! What a user may ask for: names, image references, package lines and the build spec. Pure: no I/O and no clock.
