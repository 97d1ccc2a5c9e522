"""Networks in torch: the autoencoder, the text encoder and the diffusion transformer."""
