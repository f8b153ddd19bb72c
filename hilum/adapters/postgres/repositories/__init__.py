"""The repositories, one file per subject; see :mod:`hilum.application.ports.repositories`."""
