"""Road weather: surface temperature, water, snow, ice, grip and visibility, 48 h ahead. See package.md."""
