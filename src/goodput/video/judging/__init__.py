"""Does a film show what its sentence asked? A network names what is seen; motion is measured."""
