"""Who may use Hilum: credentials and sessions."""
