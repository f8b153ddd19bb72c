"""Operations: bulk and scheduled work in chunks."""
