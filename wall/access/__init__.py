"""Who may open the wall, and what they may do: people, sessions, login, headers, and the certificate."""
