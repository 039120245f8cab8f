"""Who asks: sessions of the owner's browsers, API keys, signatures; and what each may."""
