"""Users of this cloud at other clouds: SAML assertions about them, signed by us (Keystone to Keystone)."""
