//! Real parts for tests: a registry, base images, a wheel index and a way to run a built image.
